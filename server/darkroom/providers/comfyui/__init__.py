"""ComfyUI on the user's own machine: workflows as files, whose inputs are named in the titles of their nodes."""
