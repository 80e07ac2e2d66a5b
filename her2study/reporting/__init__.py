"""What a reader sees: tables, figures, values and claims."""
