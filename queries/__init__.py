"""Everything that speaks SQL: tables, migrations, scope, statements, reads and writes."""
