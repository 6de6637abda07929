"""Small MDM checkpoints in the published layout, with text encoders and statistics beside them: random weights."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from transformers import CLIPTextConfig, CLIPTextModelWithProjection, DistilBertConfig, DistilBertModel

from backend.models.mdm.arguments import arguments_of
from backend.models.mdm.network import MDM
from shared.body import free_body
from shared.motion import read_motion, sample_path
from shared.motion.humanml.encode import encode
from shared.motion.humanml.statistics import Statistics
from shared.motion.quality import motion_joints
from tests.helpers.tiny_models import tiny_tokenizer

WIDTH = 16
ENCODER_ARGUMENTS: Mapping[str, Any] = {
    "dataset": "humanml", "arch": "trans_enc", "layers": 2, "latent_dim": WIDTH, "diffusion_steps": 4,
    "cond_mask_prob": 0.1, "pos_embed_max_len": 260,
}  # fmt: skip
DIP_ARGUMENTS: Mapping[str, Any] = {
    **ENCODER_ARGUMENTS, "arch": "trans_dec", "text_encoder_type": "bert", "context_len": 20, "pred_len": 40,
    "mask_frames": True, "use_ema": True,
}  # fmt: skip
_BERT_WORDS = ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "a", "red", "robot", "dancing", "on", "the", "moon")


def sample_features(name: str) -> NDArray[np.float64]:
    """A sample motion's features (frames - 1, 263)."""
    rest = free_body().joints(np.zeros(10))
    return encode(motion_joints(read_motion(sample_path(name)), rest)).features


def humanml_statistics() -> Statistics:
    """The data set's deviations, which are constant in each block, and the means of a sample motion."""
    blocks = ((1, 0.01282556), (2, 0.0169271), (1, 0.15376593), (63, 0.12224359), (126, 0.2996918), (66, 0.01947031))
    std = np.concatenate([*(np.full(count, value) for count, value in blocks), np.full(4, 0.35593265)])
    return Statistics(sample_features("walk").mean(axis=0).astype(np.float32), std.astype(np.float32))


def random_network(arguments: Mapping[str, Any], seed: int = 0) -> MDM:
    """A network whose every weight has an effect."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        network = MDM(arguments_of(arguments, Path("args.json")).shape)
        for parameter in network.parameters():
            if parameter.ndim == 1:
                torch.nn.init.normal_(parameter, mean=float(parameter.mean() > 0.5), std=0.1)
    return network.eval()


def published_weights(network: MDM) -> dict[str, torch.Tensor]:
    """The network's weights as a published file has them: with the positions, twice."""
    pe = network.sequence_pos_encoder.pe
    positions = {"sequence_pos_encoder.pe": pe, "embed_timestep.sequence_pos_encoder.pe": pe}
    return {**network.state_dict(), **positions}


def write_checkpoint(folder: Path, arguments: Mapping[str, Any] = ENCODER_ARGUMENTS, seed: int = 0) -> Path:
    """A checkpoint with its `args.json`; averaged weights where the arguments say so. Returns the folder."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "args.json").write_text(json.dumps(dict(arguments)), "utf-8")
    weights = published_weights(random_network(arguments, seed))
    content: dict[str, Any] = weights
    if arguments.get("use_ema"):
        content = {"model": published_weights(random_network(arguments, seed + 1)), "model_avg": weights}
    torch.save(content, folder / "model000200000.pt")
    return folder


def write_statistics(folder: Path, statistics: Statistics) -> None:
    """`Mean.npy` and `Std.npy`."""
    np.save(folder / "Mean.npy", statistics.mean.astype(np.float32))
    np.save(folder / "Std.npy", statistics.std.astype(np.float32))


def write_clip(folder: Path, projection: int = 512) -> Path:
    """CLIP's text half in the transformers library's layout, with very few weights."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(1)
        config = CLIPTextConfig(
            vocab_size=128, hidden_size=8, intermediate_size=8, num_hidden_layers=1, num_attention_heads=2,
            max_position_embeddings=77, projection_dim=projection, bos_token_id=0, eos_token_id=1, pad_token_id=1,
        )  # fmt: skip
        CLIPTextModelWithProjection(config).save_pretrained(str(folder))
    tiny_tokenizer().save_pretrained(str(folder))
    return folder


def write_distilbert(folder: Path, width: int = 768) -> Path:
    """DistilBERT in the transformers library's layout, with few weights."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(2)
        config = DistilBertConfig(
            vocab_size=len(_BERT_WORDS), dim=width, n_layers=1, n_heads=2, hidden_dim=8, max_position_embeddings=16
        )
        DistilBertModel(config).save_pretrained(str(folder))
    (folder / "vocab.txt").write_text("\n".join(_BERT_WORDS), "utf-8")
    return folder


def write_model(folder: Path, arguments: Mapping[str, Any] = ENCODER_ARGUMENTS) -> Path:
    """Everything that a model needs, in one folder."""
    write_checkpoint(folder, arguments)
    write_statistics(folder, humanml_statistics())
    if arguments.get("text_encoder_type") == "bert":
        write_distilbert(folder / "distilbert-base-uncased")
    else:
        write_clip(folder / "clip-vit-base-patch32")
    return folder
