"""The documentation as a site: `make docs` prepares its sources (`docs_site.prepare`), and sphinx builds it (`docs_site/conf.py`)."""
