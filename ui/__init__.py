"""The face of Docent: Streamlit pages that speak HTTP to the API, and to nothing else."""
