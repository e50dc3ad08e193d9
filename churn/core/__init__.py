"""What every floor may use: errors, settings, keys and files."""
