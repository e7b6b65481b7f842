# SPDX-License-Identifier: MIT
"""Reports of a run: one offline HTML page, results as JSON, and JUnit XML.

model.py says what a run is; page.py and figures.py make the page; results.py the two files for machines.
"""
