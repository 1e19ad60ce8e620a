"""The gate: password check by streamlit-authenticator, form and sessions of our own."""
