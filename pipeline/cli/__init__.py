"""The command line, words in and screen out: a file a verb, and nowhere else is anything printed."""
