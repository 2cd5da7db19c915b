"""Pretraining: what the backbone learns from images alone, before it sees a label."""

from vitrine.training.pretraining.pretrainer import Plan, Pretrained, pretrain

__all__ = ["Plan", "Pretrained", "pretrain"]
