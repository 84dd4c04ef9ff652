"""What outlives the process: deployments, invocations and files, in the servient's own folder."""
