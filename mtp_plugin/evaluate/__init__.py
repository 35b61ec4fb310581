"""Measuring the recommender that serves, on files of past behaviour: next product of a session, next basket."""
