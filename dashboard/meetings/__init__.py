"""The supervision meeting: agenda, what changed since, follow-up, coverage. Rules on frames; no SQL, no Streamlit."""
