#include "cli/command_line.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <string>
#include <vector>

#include "core/error.h"

namespace dfine {
namespace {

/// The message about a command line of a program that has options of all kinds.
std::string message_of(std::vector<std::string> arguments) {
  CLI::App app("", "program");
  int whole = 0, jobs = 0, threads = 0, batch = 1;
  uint64_t seed = 0, size = 0;
  double share = 0, threshold = 0;
  bool flag = false;
  std::string format, command_format;
  app.add_option("--whole", whole, "");
  app.add_option("--jobs", jobs, "")->check(CLI::Range(1, 1024));
  app.add_option("--threads", threads, "")->check(CLI::NonNegativeNumber);
  app.add_option("--batch", batch, "")->check(CLI::PositiveNumber);
  app.add_option("--seed", seed, "");
  app.add_option("--size", size, "")->transform(CLI::AsSizeValue(false));
  app.add_option("--share", share, "");
  app.add_option("--threshold", threshold, "")->check(CLI::Range(0.0, 2.5));
  app.add_option("--format", format, "")->check(CLI::IsMember({"coco", "yolo", "voc"}));
  app.add_flag("--flag", flag, "");
  CLI::App* command = app.add_subcommand("command", "");
  command->add_option("--jobs", jobs, "")->check(CLI::Range(1, 8));
  command->add_option("--format", command_format, "")->check(CLI::IsMember({"text", "json"}));
  std::string program = "program";
  std::vector<char*> argv{program.data()};
  for (std::string& argument : arguments) argv.push_back(argument.data());
  try {
    parse_command_line(app, static_cast<int>(argv.size()), argv.data());
  } catch (const UsageError& e) {
    EXPECT_EQ(e.hint(), "program --help shows the options");
    return e.message();
  }
  return "no error";
}

TEST(ParseCommandLine, SaysWhatAnOptionTakes) {
  const std::vector<std::pair<std::vector<std::string>, std::string>> cases{
      {{"--share", "half"}, "--share 'half' is not a number"},
      {{"--share=-0.5x"}, "--share '-0.5x' is not a number"},
      {{"--seed", "abc"}, "--seed 'abc' is not a number"},
      {{"--seed", "1.5"}, "--seed '1.5' is not a whole number"},
      {{"--whole", "1e3"}, "--whole '1e3' is not a whole number"},
      {{"--whole", "99999999999999999999"}, "--whole '99999999999999999999' is too large"},
      {{"--whole=-99999999999999999999"}, "--whole '-99999999999999999999' is too small"},
      {{"--jobs", "0"}, "--jobs '0' is not a whole number from 1 to 1024"},
      {{"--jobs", "3 to 4"}, "--jobs '3 to 4' is not a whole number from 1 to 1024"},
      {{"--jobs", "many"}, "--jobs 'many' is not a whole number from 1 to 1024"},
      {{"--threshold", "2.6"}, "--threshold '2.6' is not a number from 0 to 2.5"},
      {{"--threads=-1"}, "--threads '-1' is not a number of 0 or more"},
      {{"--batch", "0"}, "--batch '0' is not a number above 0"},
      {{"--batch", "1.5"}, "--batch '1.5' is not a whole number"},
      {{"--size", "3q"}, "--size 'q' is no known unit; give a size such as 700000, 512MiB or 1GB"},
      {{"--size", "1.5GiB"},
       "--size '1.5' is not a whole number; give a size such as 700000, 512MiB or 1GB"},
      {{"--size", ""}, "--size has no value"},
      {{"--format", "cocoo"}, "--format 'cocoo' is not coco or yolo or voc; did you mean coco?"},
      {{"--format", "COCO"}, "--format 'COCO' is not coco or yolo or voc; did you mean coco?"},
      {{"--format", "tfrecord"}, "--format 'tfrecord' is not coco or yolo or voc"},
      {{"--flag=abc"}, "--flag takes no value"},
      {{"--share"}, "--share has no value"},
      {{"--jobs", "1", "--jobs", "2"}, "--jobs is given 2 times"},
      {{"command", "--jobs", "9"}, "--jobs '9' is not a whole number from 1 to 8"},
      {{"command", "--format", "xml"}, "--format 'xml' is not text or json"},
      {{"--jobs", "3", "command", "--jobs", "9"}, "--jobs '9' is not a whole number from 1 to 8"}};
  for (const auto& [arguments, message] : cases) EXPECT_EQ(message_of(arguments), message);
}

}  // namespace
}  // namespace dfine
