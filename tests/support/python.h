#pragma once
// Helpers of tests that compare with a Python library.
#include <gtest/gtest.h>
#include <sys/wait.h>

#include <cstdlib>
#include <string>
#include <vector>

#include "support/files.h"

namespace dfine {

/// Runs the reference interpreter on the file `script`; a failing script fails the test. Skips
/// where there is no interpreter.
inline void run_python_file_or_skip(const std::string& script,
                                    const std::vector<std::string>& arguments) {
  const char* python = std::getenv("DFINE_ORACLE_PYTHON");
  if (!python || !*python) GTEST_SKIP() << "DFINE_ORACLE_PYTHON is not set (tests/run.sh sets it)";
  const TemporaryFolder folder;
  std::string command = std::string(python) + " -B '" + script + "'";
  for (const std::string& argument : arguments) command += " '" + argument + "'";
  command += " > " + (folder / "out") + " 2>&1";
  const int status = std::system(command.c_str());
  EXPECT_EQ(status, 0) << read_file(folder / "out");
}

/// The same on the text of a script.
inline void run_python_or_skip(const std::string& text, const std::vector<std::string>& arguments) {
  const TemporaryFolder folder;
  write_file(folder / "script.py", text);
  run_python_file_or_skip(folder / "script.py", arguments);
}

/// A file of the source tree.
inline std::string source_file(const std::string& name) {
  const char* folder = std::getenv("DFINE_SOURCE_DIR");
  return std::string(folder ? folder : ".") + "/" + name;
}

}  // namespace dfine
