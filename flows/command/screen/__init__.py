"""What a person sees: tables, bars and words. Every module here imports Rich when it is needed."""
