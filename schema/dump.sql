-- Prints a journal's schema: every object that has a text, in the order in which it was made.
SELECT char(10) || sql || ';' FROM sqlite_schema WHERE sql IS NOT NULL ORDER BY rowid;
