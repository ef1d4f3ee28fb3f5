"""What people ask for, put together: texts read, compared and grouped. Knows neither the database nor the web."""
