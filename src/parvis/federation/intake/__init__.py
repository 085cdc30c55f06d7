"""What waits to be looked at, and what took effect already. Owns inbox_items, inbox_refusals, activities_done."""
