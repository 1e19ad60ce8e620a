"""The gate: form and password check by streamlit-authenticator, sessions of our own on the server."""
