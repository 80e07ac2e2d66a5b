"""What the scan says: volumes, preprocessing, radiomics."""
