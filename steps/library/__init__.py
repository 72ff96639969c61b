"""The library under every step: a child, its inputs, its tool, its marker. Its public face is `steps` itself."""
