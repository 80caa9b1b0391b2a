"""From a file somebody hands us to canonical transactions, or to a list of what is wrong.

Pure: no database, no Django. ``reading.open_source`` finds out what a file is and streams it in
batches, ``rows.RowChecker`` turns a batch into canonical rows and row errors. Memory stays
constant in the length of the file, and nothing is ever guessed into shape: a value is either
written in the documented form or reported with its line, column and rule.
"""
