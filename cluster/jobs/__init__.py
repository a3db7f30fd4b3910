"""What the cluster runs: a folder for each kind of job, and the definition that the command line, the API and the page are made of."""
