"""Drawing a View with Streamlit; decides nothing."""
