"""How fast a compiled model is: graphs of known shapes, the same model in plain PyG, and both measured side by side."""
