#include "config/synonyms.h"

namespace dfine {

const std::vector<Synonym>& key_synonyms() {
  static const std::vector<Synonym> all{
      {"output_dir", "run.dir"}, {"out_dir", "run.dir"}, {"save_dir", "run.dir"},
      {"work_dir", "run.dir"}, {"log_dir", "run.dir"}, {"run_dir", "run.dir"},
      {"exp_dir", "run.dir"}, {"resume_from", "run.resume"},
      {"resume_from_checkpoint", "run.resume"}, {"resume_path", "run.resume"},
      {"random_seed", "run.seed"}, {"manual_seed", "run.seed"}, {"rng_seed", "run.seed"},
      {"gpu", "run.device"},
      {"cuda", "run.device"}, {"use_cuda", "run.device"}, {"num_threads", "run.threads"},
      {"amp", "run.precision"}, {"use_amp", "run.precision"},
      {"fp16", "run.precision"}, {"bf16", "run.precision"},
      {"mixed_precision", "run.precision"}, {"autocast", "run.precision"},
      {"dtype", "run.precision"},
      {"logging_steps", "run.log_every"}, {"print_freq", "run.log_every"},
      {"log_interval", "run.log_every"}, {"log_freq", "run.log_every"},
      {"log_every_n_steps", "run.log_every"}, {"pretrained", "model.weights"},
      {"pretrain_weights", "model.weights"}, {"pretrained_weights", "model.weights"},
      {"tuning", "model.weights"}, {"load_from", "model.weights"},
      {"init_weights", "model.weights"},
      {"checkpoint_path", "model.weights"},
      {"num_dn", "model.num_denoising"}, {"dn_number", "model.num_denoising"},
      {"dn_queries", "model.num_denoising"}, {"freeze_bn", "model.freeze_norm"},
      {"variant", "model.size"}, {"arch", "model.size"},
      {"architecture", "model.size"}, {"model_size", "model.size"},
      {"train_path", "data.train"}, {"train_data", "data.train"}, {"train_dir", "data.train"},
      {"train_dataset", "data.train"}, {"trainset", "data.train"}, {"val_path", "data.val"},
      {"val_data", "data.val"}, {"val_dir", "data.val"}, {"val_dataset", "data.val"},
      {"valset", "data.val"},
      {"imgsz", "data.image_size"}, {"img_size", "data.image_size"},
      {"input_size", "data.image_size"},
      {"eval_spatial_size", "data.image_size"},
      {"base_size", "data.image_size"}, {"resolution", "data.image_size"},
      {"img_scale", "data.image_size"}, {"batch", "data.batch_size"}, {"bs", "data.batch_size"},
      {"total_batch_size", "data.batch_size"},
      {"train_batch_size", "data.batch_size"}, {"per_device_train_batch_size", "data.batch_size"},
      {"batch_size_per_gpu", "data.batch_size"}, {"samples_per_gpu", "data.batch_size"},
      {"ims_per_batch", "data.batch_size"}, {"num_workers", "data.workers"},
      {"n_workers", "data.workers"},
      {"dataloader_num_workers", "data.workers"}, {"workers_per_gpu", "data.workers"},
      {"aug", "data.augment"}, {"augmentation", "data.augment"}, {"augmentations", "data.augment"},
      {"transforms", "data.augment"}, {"close_mosaic", "train.stage2_epoch"},
      {"stop_epoch", "train.stage2_epoch"}, {"no_aug_epoch", "train.stage2_epoch"}, {"no_aug_epochs", "train.stage2_epoch"},
      {"stop_aug_epoch", "train.stage2_epoch"},

      {"base_size_repeat", "data.multiscale_repeat"}, {"cache", "data.cache_dir"},
      {"fliplr", "augment.flip"}, {"hflip", "augment.flip"}, {"horizontal_flip", "augment.flip"},
      {"color_jitter", "augment.photometric"}, {"photometric_distort", "augment.photometric"},
      {"learning_rate", "optim.lr"},
      {"lr0", "optim.lr"}, {"base_lr", "optim.lr"}, {"blr", "optim.lr"}, {"max_lr", "optim.lr"},
      {"initial_lr", "optim.lr"}, {"lr_backbone", "optim.backbone_lr"},
      {"lr_encoder", "optim.backbone_lr"}, {"backbone_learning_rate", "optim.backbone_lr"},
      {"base_batch_size", "optim.base_batch"}, {"nbs", "optim.base_batch"},
      {"scheduler", "optim.schedule"}, {"lr_scheduler", "optim.schedule"},
      {"lr_schedule", "optim.schedule"}, {"lr_scheduler_type", "optim.schedule"},
      {"cos_lr", "optim.schedule"}, {"lr_drop", "optim.milestones"},
      {"lr_steps", "optim.milestones"}, {"lrf", "optim.final_lr_factor"},
      {"min_lr_ratio", "optim.final_lr_factor"}, {"min_lr", "optim.final_lr_factor"},
      {"warmup", "optim.warmup_steps"}, {"warmup_iters", "optim.warmup_steps"},
      {"warmup_iter", "optim.warmup_steps"}, {"warmup_duration", "optim.warmup_steps"},
      {"num_warmup_steps", "optim.warmup_steps"}, {"lr_warmup_steps", "optim.warmup_steps"},
      {"wd", "optim.weight_decay"},
      {"betas", "optim.beta1 or optim.beta2"}, {"clip_max_norm", "optim.clip_norm"},
      {"max_grad_norm", "optim.clip_norm"}, {"max_norm", "optim.clip_norm"},
      {"gradient_clip_val", "optim.clip_norm"}, {"gradient_clip", "optim.clip_norm"},
      {"grad_clip", "optim.clip_norm"}, {"clip_grad_norm", "optim.clip_norm"},
      {"clip_grad", "optim.clip_norm"}, {"num_epochs", "train.epochs"}, {"epoches", "train.epochs"},
      {"num_train_epochs", "train.epochs"}, {"max_epochs", "train.epochs"},
      {"max_epoch", "train.epochs"}, {"n_epochs", "train.epochs"}, {"epoch", "train.epochs"},
      {"total_epochs", "train.epochs"}, {"max_iter", "train.max_steps"},
      {"max_iters", "train.max_steps"}, {"max_train_steps", "train.max_steps"},
      {"num_steps", "train.max_steps"}, {"total_steps", "train.max_steps"},
      {"iterations", "train.max_steps"},

      {"time_limit", "train.max_minutes"}, {"early_stopping", "train.patience"},
      {"early_stopping_patience", "train.patience"}, {"early_stop", "train.patience"},
      {"accumulate", "train.gradient_accumulation_steps"},
      {"grad_accum_steps", "train.gradient_accumulation_steps"},
      {"grad_accum", "train.gradient_accumulation_steps"}, {"accum_steps", "train.gradient_accumulation_steps"},
      {"accumulate_grad_batches", "train.gradient_accumulation_steps"}, {"accumulation_steps", "train.gradient_accumulation_steps"},
      {"use_ema", "ema.enabled"}, {"model_ema", "ema.enabled"}, {"ema_decay", "ema.decay"},
      {"model_ema_decay", "ema.decay"}, {"ema_momentum", "ema.decay"},
      {"warmups", "ema.warmup_steps"}, {"ema_warmup", "ema.warmup_steps"},
      {"ema_warmups", "ema.warmup_steps"}, {"ema_tau", "ema.warmup_steps"},
      {"eval_interval", "validate.every_epochs"}, {"val_interval", "validate.every_epochs"},
      {"eval_every", "validate.every_epochs"}, {"check_val_every_n_epoch", "validate.every_epochs"},
      {"eval_epochs", "validate.every_epochs"}, {"val_batch_size", "validate.batch_size"},
      {"eval_batch_size", "validate.batch_size"},
      {"per_device_eval_batch_size", "validate.batch_size"},
      {"save_steps", "checkpoint.every_steps"}, {"save_interval", "checkpoint.every_steps"},
      {"checkpoint_freq", "checkpoint.every_steps"}, {"save_every", "checkpoint.every_steps"},
      {"checkpoint_interval", "checkpoint.every_steps"},
      {"metric_for_best_model", "checkpoint.monitor"}, {"best_metric", "checkpoint.monitor"},
      {"save_best", "checkpoint.monitor"},
  };
  return all;
}

const std::vector<Synonym>& renamed_keys() {
  static const std::vector<Synonym> all{
      {"train.accumulate", "train.gradient_accumulation_steps"},
      {"train.second_stage", "train.stage2_from_best"},
      {"data.on_bad", "data.on_corrupt"},
      {"data.max_bad", "data.max_corrupt"},
      {"data.stop_epoch", "train.stage2_epoch"},
  };
  return all;
}

const std::vector<Synonym>& table_synonyms() {
  static const std::vector<Synonym> all{
      {"general", "[run]"}, {"global", "[run]"}, {"runtime", "[run]"}, {"network", "[model]"},
      {"net", "[model]"}, {"dataset", "[data]"}, {"datasets", "[data]"}, {"dataloader", "[data]"},
      {"train_dataloader", "[data]"}, {"loader", "[data]"}, {"aug", "[augment]"},
      {"augmentation", "[augment]"}, {"transforms", "[augment]"}, {"optimizer", "[optim]"},
      {"optimiser", "[optim]"}, {"solver", "[optim]"}, {"adamw", "[optim]"},
      {"lr_scheduler", "[optim]"}, {"training", "[train]"}, {"trainer", "[train]"},
      {"val", "[validate]"}, {"validation", "[validate]"}, {"eval", "[validate]"},
      {"evaluation", "[validate]"}, {"evaluate", "[validate]"}, {"model_ema", "[ema]"},
      {"checkpoints", "[checkpoint]"}, {"saving", "[checkpoint]"},
  };
  return all;
}

}  // namespace dfine
