"""What a run came to, in words and figures that people read; knows neither Prefect nor a screen."""
