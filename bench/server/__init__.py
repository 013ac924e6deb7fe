"""One light S3 server for all contenders: little CPU of its own, and its conditions kept."""
