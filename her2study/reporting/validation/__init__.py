"""The findings of ``her2study validate``: lines for the terminal, a page for people, both from the same groups."""
