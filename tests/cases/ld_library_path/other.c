int other_torch;
