"""Does the benchmark measure what it says, and would it notice?"""
