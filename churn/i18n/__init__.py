"""Every sentence and number that people read, in French and in English."""
