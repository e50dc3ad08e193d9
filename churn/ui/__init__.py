"""The pages for people: sign in, score an employee, try changes, look at what was scored."""
