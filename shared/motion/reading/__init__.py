"""What the readers of motion files share: checked entries, the clip they hand on, rates, shapes, orders of axes."""
