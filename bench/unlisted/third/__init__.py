"""The third set: what people ask about where they ask for help, and what few of them ever do."""
