"""The service in the browser: pages, an API, and what they share. The only package that imports FastAPI."""
