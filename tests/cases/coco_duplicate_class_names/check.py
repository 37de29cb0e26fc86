def check(case):
    out = case.pack()
    warning = 'warning: 2 classes have the same name "cat": ids 1 and 2\n  merge them or rename one'
    assert warning in out, out
