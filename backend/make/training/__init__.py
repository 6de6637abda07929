"""How the embedded model is made: rendered pictures, an autoencoder, a text encoder, a UNet and a ControlNet."""
