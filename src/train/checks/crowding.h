#pragma once
// How many boxes the batches of a run can have: what its most expensive step depends on besides the
// image size.
#include <cstdint>
#include <vector>

#include "learner/train_feed.h"

namespace dfine::inline checks {

/// Upper bounds; augmentation may drop boxes.
struct Crowding {
  int64_t image = 0;  // boxes in one image
  int64_t batch = 0;  // boxes in all images that a rank forwards at once
};

/// Of batches in which no image comes twice: the most crowded image, and the `batch_size` most
/// crowded ones together. `boxes_of_image`: of each image of the dataset.
Crowding plain_crowding(const std::vector<int32_t>& boxes_of_image, int64_t batch_size);

/// Of the training batches of a run. Without mosaic and mixup (joins_images()) that is
/// plain_crowding(). With them up to eight images become one. Which ones is a function of seed,
/// epoch and position (augment/augmenter.h), so the random numbers of the whole run are gone
/// through. The bound is what really comes, not eight times the most crowded image. Images that
/// take a damaged one's place (data.on_corrupt) are not foreseen.
///
/// Goes through the epochs `part`, `part + parts`, ...: the maximum over all parts is the run's.
Crowding training_crowding(const FeedOptions& feed, const std::vector<int32_t>& boxes_of_image,
                           int64_t part = 0, int64_t parts = 1);

/// Boxes of each of `images` images such that a step with them is as expensive as any within these
/// bounds. One image has the number that makes the most denoising queries. That is not always the
/// largest: at num_denoising = 100 an image of 50 boxes makes 200, one of 60 makes 120. The other
/// images share what is left of the batch's boxes.
std::vector<int64_t> most_expensive_counts(const Crowding& most, int64_t images,
                                           int64_t num_denoising, int64_t max_denoising_queries);

}  // namespace dfine::inline checks
