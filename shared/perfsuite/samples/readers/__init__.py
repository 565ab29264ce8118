"""One module per format of result files.

Each has a `read` that takes plain bytes, yields a `Row` per sample in the order of the file, and puts what else there
is to say into the report. `progress` is called now and then with the number of bytes consumed since the last call.
"""
