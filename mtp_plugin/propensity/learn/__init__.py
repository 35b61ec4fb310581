"""What training alone needs: training rows, estimators, calibration, the report. Loaded by training only."""
