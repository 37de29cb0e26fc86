#pragma once
// The values of configuration keys that choose between a few. Layers include these, not the
// configuration (config/config.h), which ends at plan/resolve.h.

namespace dfine::inline config {

enum class DeviceChoice { kCpu, kCuda };
enum class Precision { kFp32, kBf16, kFp16 };
enum class Tf32Use { kOff, kConvolutions, kAll };
enum class GradientAccumulation { kExact, kAveraged };
enum class GradientCompression { kNone, kBf16 };
enum class ClassHeads { kByName, kByIndex, kNew };
enum class Augment { kDfine, kFlip, kNone };
enum class OnCorrupt { kError, kSkip };
enum class LrScaling { kNone, kLinear, kSqrt };
enum class LrSchedule { kConstant, kMultistep, kFlatCosine };
enum class EmaRestart { kNone, kPublished, kIntended };
enum class ValidatedWeights { kBoth, kEma, kRaw };
enum class Monitor { kValLoss, kAp };

}  // namespace dfine::inline config
