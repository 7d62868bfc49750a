/* Empty: cffi knows these types. */
