"""The checks of models.py: values, how they are sent, and services."""
