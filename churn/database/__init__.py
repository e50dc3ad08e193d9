"""The database: connections, tables, partitions and the schema."""
