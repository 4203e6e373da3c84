"""The trade itself: sizing, costs, scenarios."""
