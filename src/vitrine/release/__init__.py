"""What changes a registry or a store: gate, promote, package."""
