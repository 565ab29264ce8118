"""Pure computations: values in, values out."""
