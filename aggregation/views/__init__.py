"""The pages of the operator and of the centre's auditor."""
