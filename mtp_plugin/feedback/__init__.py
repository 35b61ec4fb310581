"""What came of slates: touches and orders to outcomes, outcomes to rewards and to labels."""
