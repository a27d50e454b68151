"""HTTP and its errors, turned into ours."""
