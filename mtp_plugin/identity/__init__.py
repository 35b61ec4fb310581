"""Who is who: links between ids, and merges that can be undone."""
