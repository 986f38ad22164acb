"""A user's YAML file as values that know where they stand, and what is wrong with it in sentences."""
